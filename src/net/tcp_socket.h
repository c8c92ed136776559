// SPDX-License-Identifier: Apache-2.0
// Asio's TCP socket by name only, for headers that pass one on, and what plain and TLS streams
// share below TLS.
#pragma once

#include "net/stream.h"

namespace boost::asio {
namespace ip {
class tcp;
}  // namespace ip
template <class Protocol, class Executor>
class basic_stream_socket;
}  // namespace boost::asio

namespace boost::system {
class error_code;
}  // namespace boost::system

namespace weir::net {

using TcpSocket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::any_io_executor>;

// Opens, connects, sets TCP_NODELAY and non-blocking mode.
async::Task<ConnectResult> connect_socket(TcpSocket& socket, IpAddress address);
// No EOF, no error, nothing to read.
bool socket_is_quiet(TcpSocket& socket);
void close_socket(TcpSocket& socket);
StreamEnd stream_end(const boost::system::error_code& error);

}  // namespace weir::net
