// What holds for every input of a fuzz target: a broken property ends the process, which is how
// libFuzzer, and the replay of a corpus, see it.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace relations::fuzz {

// Aborts with `what` unless `holds`.
inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "property broken: %s\n", what);
  std::abort();
}

}  // namespace relations::fuzz
