"""What bench report takes for runs of growing size."""
