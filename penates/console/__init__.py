"""What sub-commands share: arguments, output, requests to the supervisor."""
