// Random text from the operating system's generator (through OpenSSL): identifiers and secrets.
// Thread-safe. A generator that fails ends the process: nothing made without it could be trusted.
#pragma once

#include <cstddef>
#include <string>

namespace relations {

// A random UUID (RFC 4122, version 4), lower case.
std::string NewUuid();

// `length` characters of A-Z a-z 0-9, each equally likely: 5.95 bits a character.
std::string RandomAlphanumeric(size_t length);

}  // namespace relations
