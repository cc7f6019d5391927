"""The parts of the memory-shape procedure; `receiver.diagnosis.memory.shape` puts them together."""
