"""/workloads: what each workload's incidents add up to, as pages and as JSON."""
