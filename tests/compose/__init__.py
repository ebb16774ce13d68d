"""One mail as bytes: headers, bodies, holes and signatures."""
