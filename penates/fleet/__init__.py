"""Every sensor on a broker, as a person sees it."""
