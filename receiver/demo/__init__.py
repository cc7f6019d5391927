"""The demo: recorded real incidents behind stand-ins of Kubernetes and Prometheus, told through the whole program."""
