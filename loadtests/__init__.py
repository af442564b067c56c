"""How a measurement is made: spec, plan, environment, load, samples."""
