"""The verbs besides `convert`: one a module, each a function and a command of that name."""
