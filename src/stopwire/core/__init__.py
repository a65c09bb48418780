"""Every decision, as pure functions: values in, values out."""
