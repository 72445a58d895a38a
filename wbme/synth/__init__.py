"""Teachers and the stages that make pairs: pure functions of arrays and parameters."""
