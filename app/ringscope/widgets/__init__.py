"""What views share: tables, graph scene, hex view, filter box, and the like."""
