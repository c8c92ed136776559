// SPDX-License-Identifier: Apache-2.0
// What plain and TLS streams share below TLS. Includes Asio: for stream sources only.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "net/stream.h"

namespace weir::net {

// Opens, connects, sets TCP_NODELAY and non-blocking mode.
async::Task<ConnectResult> connect_socket(boost::asio::ip::tcp::socket& socket, IpAddress address);
// No EOF, no error, nothing to read.
bool socket_is_quiet(boost::asio::ip::tcp::socket& socket);
void close_socket(boost::asio::ip::tcp::socket& socket);
StreamEnd stream_end(const boost::system::error_code& error);

}  // namespace weir::net
