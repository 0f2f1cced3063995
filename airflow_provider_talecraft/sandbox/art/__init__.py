"""What the painter paints with: a pen, palettes, scenery and figures. Needs Pillow, and knows nothing of the API."""
