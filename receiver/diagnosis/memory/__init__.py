"""The parts of the memory-shape procedure; `receiver.diagnosis.memory.series` puts them together."""
