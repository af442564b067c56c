"""Runs whose answer is known beforehand: a twin against itself, and against itself made heavier."""
