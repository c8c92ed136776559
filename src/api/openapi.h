// SPDX-License-Identifier: Apache-2.0
// The OpenAPI 3.1 document of the API, as served at /v1/openapi.json. Its source is openapi.json
// beside this file.
#pragma once

#include <string_view>

namespace weir::api {

std::string_view openapi_document();

}  // namespace weir::api
