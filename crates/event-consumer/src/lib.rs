//! The handler both event consumers run: decode, bind, encode.
