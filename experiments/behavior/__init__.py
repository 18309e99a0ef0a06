"""What the arms of the experiment `behavior` measure."""
