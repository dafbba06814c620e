"""Purchase, sorting and routing: each with its data, model, plan and solver-free check."""
