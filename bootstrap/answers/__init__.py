"""What a program prints, or a web server answers: values by their places in it, as a device's file describes them."""
