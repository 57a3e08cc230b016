"""Tasks and callbacks: what starts and keeps them, cancels them, and looks at what they come to."""
