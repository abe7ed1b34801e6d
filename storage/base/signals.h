// The signals of a serving program, taken by one thread that waits for them:
//
//   SIGTERM, SIGINT    stop
//   SIGHUP             read the settings again
//   SIGUSR1, SIGUSR2   log one level more, one level less
#pragma once

#include <csignal>
#include <functional>

namespace relations {

// Blocks these signals in the calling thread and in every thread started later, so that only
// WaitForStop takes them, and ignores SIGPIPE. Call it before any thread starts.
sigset_t BlockSignals();

// Returns the signal that asks for the end. Meanwhile `reload` runs, on this thread, for every
// SIGHUP; levels of the log change as said above.
int WaitForStop(const sigset_t& signals, const std::function<void()>& reload);

}  // namespace relations
