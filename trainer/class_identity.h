#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trainer/storage/safetensors.h"

// The names of the classes go with the weights, so that a network is not shown data whose classes are others,
// or in another order.

namespace convoy {

/// A name as it is kept with weights, where text must be UTF-8: bytes that are none become "\xe9".
std::string utf8_name(std::string_view name);

/// Value of the key "convoy.classes" in the metadata of weights.
std::string class_names_text(const std::vector<std::string>& names);

/// The names in the metadata of the file `path`; empty where it has none. Error(usage) where they are no list
/// of names.
std::vector<std::string> class_names_of(const Metadata& metadata, const std::string& path);

/// Whether the names are "0", "1", ...: of a data set that does not name its classes.
bool are_numbers(const std::vector<std::string>& names);

/// Throws Error(usage) that names the first class in which `kept`, the names in the file of weights `path`,
/// and those of the data differ. What has no names, or numbers for names, goes with everything.
void check_class_names(const std::vector<std::string>& kept, const std::vector<std::string>& data,
                       const std::string& path);

}  // namespace convoy
