"""One file a runtime, file name = backend name; each has ``open_backend()``. Imported only when asked for."""
