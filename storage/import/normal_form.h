// What a rule makes of a value: its normal form, or why it has none.
#pragma once

#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace relations {

struct NormalForm {
  std::string value;
  // Completes the sentence "the value ..."; a literal, empty when the value is accepted.
  absl::string_view refusal;

  bool accepted() const { return refusal.empty(); }
};

inline NormalForm Accepted(std::string value) { return {std::move(value), {}}; }

// `why` must outlive the result: pass literals.
inline NormalForm Refused(absl::string_view why) { return {{}, why}; }

}  // namespace relations
