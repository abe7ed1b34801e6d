#include "storage/base/signals.h"

#include <pthread.h>

#include "storage/base/log.h"

namespace relations {

sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) {
    sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A reader of standard output or of a socket that goes away is no reason to die.
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

int WaitForStop(const sigset_t& signals, const std::function<void()>& reload) {
  for (;;) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal == SIGHUP) {
      reload();
    } else if (signal == SIGUSR1 || signal == SIGUSR2) {
      const char* const level = StepLogLevel(signal == SIGUSR1 ? 1 : -1);
      // At this level so that it is always seen.
      LogError("log level changed", {{"log_level", level}});
    } else {
      return signal;
    }
  }
}

}  // namespace relations
