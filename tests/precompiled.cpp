// Carries the precompiled header of the tests; GoogleTest gives main().
