"""Who is who: from identities in 48 classes to persons, and from persons to households."""
