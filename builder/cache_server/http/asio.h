// SPDX-License-Identifier: Apache-2.0
// What of Boost.Asio this box uses. Include it in .cc files and in headers of this box only.
#pragma once

#include <utility>  // which Asio 1.74 forgets

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/strand.hpp>

namespace mybuild::cache_server {

namespace asio = boost::asio;
using asio::awaitable;
using Strand = asio::strand<asio::io_context::executor_type>;

}  // namespace mybuild::cache_server
