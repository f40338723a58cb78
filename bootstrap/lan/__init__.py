"""What other hosts on the network tell of themselves: that they are there, and how soon they answer."""
