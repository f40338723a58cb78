"""What kinds on plain GPIO lines share: what is switched, dimmed or turned, and what pulses."""
