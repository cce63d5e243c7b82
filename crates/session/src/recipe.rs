//! Recipes for providers that are not OAuth (being written).
