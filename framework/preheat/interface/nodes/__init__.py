"""What a compiled type is, and how each kind of type compiles to closures that look only at the value."""
