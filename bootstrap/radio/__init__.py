"""What a radio receiver hears by rtl_433: weather stations, sensors and remotes, as readings."""
