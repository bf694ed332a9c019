//! The loop: collect, handle, write everything in one transaction, commit.
