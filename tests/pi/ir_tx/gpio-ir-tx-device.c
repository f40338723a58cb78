// SPDX-License-Identifier: MIT
/*
 * The device of the kernel's gpio-ir-tx on a machine without a device tree, such as an emulated one: on a Pi
 * `dtoverlay=gpio-ir-tx,gpio_pin=24` describes it. Parameters: the label of the chip, and the line.
 */
#include <linux/err.h>
#include <linux/gpio/machine.h>
#include <linux/module.h>
#include <linux/platform_device.h>

static char *chip = "pinctrl-bcm2711";
module_param(chip, charp, 0444);
static unsigned int line = 24;
module_param(line, uint, 0444);

static struct gpiod_lookup_table lines = {
	.dev_id = "gpio-ir-tx",
	.table = { { .flags = GPIO_ACTIVE_HIGH }, { } },
};
static struct platform_device *device;

static int __init begin(void)
{
	lines.table[0].key = chip;
	lines.table[0].chip_hwnum = line;
	gpiod_add_lookup_table(&lines);
	device = platform_device_register_simple(lines.dev_id, PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(device))
		gpiod_remove_lookup_table(&lines);
	return PTR_ERR_OR_ZERO(device);
}

static void __exit end(void)
{
	platform_device_unregister(device);
	gpiod_remove_lookup_table(&lines);
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("The device of gpio-ir-tx on a machine without a device tree");
MODULE_LICENSE("Dual MIT/GPL");
