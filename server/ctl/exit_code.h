// How relationsctl ends: exit codes that scripts can rely on, and the one line on standard error
// that says why.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace relations {

// Shown by `relationsctl --help`; the values never change.
enum ExitCode : int {
  kExitOk = 0,
  // Something failed, records were rejected under --strict, or `check` found damage.
  kExitFailure = 1,
  // Flags, settings or arguments are wrong.
  kExitUsage = 2,
  // No such entity, credential, file or store.
  kExitNotFound = 3,
  // The server does not accept the credentials, or they lack the role.
  kExitDenied = 4,
  // The server cannot be reached, is overloaded or took too long. Worth another try.
  kExitUnavailable = 5,
};

// The exit code of a command that ended with `status`.
ExitCode ExitCodeOf(const absl::Status& status);

// "no such entity (not_found, error id 6a0c...)": the message and, where there are, the public
// reason and the server's error id, on one printable line.
std::string Explain(const absl::Status& status);

// Puts the error id of a server's answer on `status`, for Explain.
void SetErrorId(absl::Status& status, const std::string& error_id);

}  // namespace relations
