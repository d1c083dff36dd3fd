"""compile, fit, evaluate, predict, and the step that they consist of."""
