// The rules of dates and of instants. Thread-safe.
#pragma once

#include "absl/strings/string_view.h"
#include "storage/import/normal_form.h"

namespace relations {

// A day of the calendar as YYYY-MM-DD, unchanged.
NormalForm NormalDate(absl::string_view value);

// An instant of RFC 3339 with at most nine digits of a second's fraction: its offset is kept (Z
// where it is zero), trailing zeros of the fraction are cut. One instant in two offsets is two
// values.
NormalForm NormalDatetime(absl::string_view value);

}  // namespace relations
