// What nearly every test needs beside the precompiled header of all files.
#pragma once

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "pch.h"
