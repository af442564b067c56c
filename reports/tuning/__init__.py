"""What `bench tune` measured, judged: knees, plateaus, gains, hazards, settings to paste."""
