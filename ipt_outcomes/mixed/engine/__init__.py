"""The likelihood of linear mixed models from sums per person: any number of grouping factors, nested or crossed."""
