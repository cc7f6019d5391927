"""The parts of the memory-shape procedure; `receiver.diagnosis.series` puts them together."""
