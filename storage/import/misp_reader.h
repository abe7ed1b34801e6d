// MISP documents: events with their attributes, objects and galaxies (P1 to P5).
#pragma once

#include <string>

#include "absl/status/status.h"
#include "storage/import/import_run.h"
#include "storage/import/json_document.h"

namespace relations {

// Imports the events of a document: {"Event": ...}, a bare event, an array of either, or
// {"response": ...} around any of them. Object references are resolved within the document. A
// feed's manifest gives nothing; what is no event is rejected to `run`.
absl::Status ReadMispDocument(const JsonElement& root, const std::string& file, ImportRun& run);

}  // namespace relations
