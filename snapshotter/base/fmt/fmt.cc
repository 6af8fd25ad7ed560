// SPDX-License-Identifier: Apache-2.0
// fmt's own code, for programs that start without a shared library for it. Without locales: they
// cost start-up.
#define FMT_STATIC_THOUSANDS_SEPARATOR ','
#include <fmt/format-inl.h>

namespace fmt::detail {

template thousands_sep_result<char> thousands_sep_impl<char>(locale_ref);
template char decimal_point_impl<char>(locale_ref);

}  // namespace fmt::detail
