// The only two macros of the project: leave the function when a status is an error.
//
//   RETURN_IF_ERROR(store.Close());
//   ASSIGN_OR_RETURN(auto view, store.View());
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define RELATIONS_CONCAT_INNER(a, b) a##b
#define RELATIONS_CONCAT(a, b) RELATIONS_CONCAT_INNER(a, b)

#define RETURN_IF_ERROR(expression)                                            \
  do {                                                                         \
    if (absl::Status status_of_call = (expression); !status_of_call.ok()) {    \
      return status_of_call;                                                   \
    }                                                                          \
  } while (false)

#define ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                   \
  if (!result.ok()) {                                           \
    return result.status();                                     \
  }                                                             \
  declaration = std::move(result).value()

#define ASSIGN_OR_RETURN(declaration, expression) \
  ASSIGN_OR_RETURN_INNER(RELATIONS_CONCAT(status_or_, __LINE__), declaration, expression)
