// What a change of settings means while the program runs: some settings can be taken over, the
// others wait for a restart, and the log says which.
#pragma once

#include <vector>

#include "absl/strings/string_view.h"
#include "storage/base/settings.h"

namespace relations {

// Logs every setting that differs, as taken over if it is one of `reloadable`, else as waiting for
// a restart.
void LogReload(const std::vector<EffectiveSetting>& before,
               const std::vector<EffectiveSetting>& after,
               const std::vector<absl::string_view>& reloadable);

}  // namespace relations
