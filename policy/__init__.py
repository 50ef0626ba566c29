"""What the rules say: dated parameters, measures, rules, warnings and their priority."""
