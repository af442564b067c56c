"""What the measurements of `bench tune` mean: knees, plateaus, gains, hazards and settings to paste."""
