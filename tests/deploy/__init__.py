"""What people apply, built by kustomize and Helm."""
