"""The program: where project, methods and widgets meet."""
